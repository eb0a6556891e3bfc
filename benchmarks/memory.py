"""Peak memory of a function, in a process of its own."""

import subprocess
import sys


def peak_mb(statement: str, setup: str = "", threads: int = 1) -> float:
    """How much higher the process' resident memory rises in ``statement`` than after ``setup``.

    Args:
        statement: Python source that is measured.
        setup: Python source that makes the inputs; a small warm-up belongs here.
        threads: of torch and OpenMP.

    Returns:
        MB of 1e6 bytes.
    """
    source = "\n".join(
        [
            "import benchmarks.memory as _memory, torch",
            f"torch.set_num_threads({threads})",
            setup,
            "_memory.forget_peak()",
            "_before = _memory.resident_mb()",
            statement,
            "print('PEAK', _memory.highest_mb() - _before)",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.rsplit("PEAK", 1)[1])


def forget_peak() -> None:
    """Let the kernel count the highest resident memory anew (Linux)."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def resident_mb() -> float:
    """Resident memory now, MB."""
    return _status("VmRSS")


def highest_mb() -> float:
    """Highest resident memory since :func:`forget_peak`, MB."""
    return _status("VmHWM")


def _status(field: str) -> float:
    with open("/proc/self/status") as file:
        lines = dict(line.split(":", 1) for line in file)
    return int(lines[field].split()[0]) * 1024 / 1e6
