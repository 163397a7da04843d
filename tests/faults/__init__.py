"""The fault campaign: the real agent, real Chromium, and everything around it going wrong."""
