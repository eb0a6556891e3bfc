"""The command ``lrfr``: the only place that reads YAML or ``sys.argv``."""
