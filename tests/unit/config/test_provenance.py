"""Lines of keys in a TOML file."""

from agent.config.provenance import lines_of

TEXT = '''# a comment
location = "here"

[sites.shop]
url = "https://shop.example.com"
first_party = [
    "https://shop.example.com",  # [not.a.table]
    "https://*.shop.example.com",
]
[journey.buy]
params = { sku = "mug", size = { height = 1 } }
note = """
[schedule]
every = "1m"
"""
[schedule]
a.b = 1
[[maintenance]]
reason = "release"
'''


def test_each_key_is_found_on_the_line_where_it_begins():
    """Arrays and long strings begin on their first line, and what looks like a key in a string
    or a comment is none."""
    assert lines_of(TEXT) == {
        ("location",): 2,
        ("sites",): 4,
        ("sites", "shop"): 4,
        ("sites", "shop", "url"): 5,
        ("sites", "shop", "first_party"): 6,
        ("journey",): 10,
        ("journey", "buy"): 10,
        ("journey", "buy", "params"): 11,
        ("journey", "buy", "params", "sku"): 11,
        ("journey", "buy", "params", "size"): 11,
        ("journey", "buy", "params", "size", "height"): 11,
        ("journey", "buy", "note"): 12,
        ("schedule",): 16,
        ("schedule", "a"): 17,
        ("schedule", "a", "b"): 17,
        ("maintenance",): 18,
        ("maintenance", "0"): 18,
        ("maintenance", "0", "reason"): 19,
    }
