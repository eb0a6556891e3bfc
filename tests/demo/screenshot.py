"""Photograph a running page: ``python tests/demo/screenshot.py ADDRESS FILE.png``."""

import shutil
import sys

from playwright.sync_api import sync_playwright

if __name__ == "__main__":
    address, file = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1100, "height": 600})
        page.goto(address)
        page.locator("#answers tr").first.wait_for()
        page.screenshot(path=file, full_page=True)
        browser.close()
