"""A page as a test reads it."""

from html.parser import HTMLParser

VOID = {"meta", "img", "link", "br"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on tags that do not match."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.ids, self.labels, self.open = [], [], [], [], []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.links.append(value)
            elif name == "id":
                self.ids.append(value)
            elif name == "aria-label":
                self.labels.append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
