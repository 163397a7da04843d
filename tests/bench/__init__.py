"""`python -m tests.bench`: what a run costs, beside a bare Playwright loop on the same pages."""
