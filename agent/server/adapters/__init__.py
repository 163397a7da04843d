"""Deploy tools that ask for a verdict in their own words, one module a tool.

Each has a secret of its own and knows of the agent only who judges releases and who takes note of
deploys. What a tool sends may name a site, journeys and a release; never an address, nor a header.
"""
