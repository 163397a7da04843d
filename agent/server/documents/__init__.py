"""The documents that the API answers and the pages render, and who has them.

Each page shows the very document that its address below ``/api/v1`` answers. Times are RFC 3339
in UTC, durations seconds, shares per cent; None stands for what is not known.
"""
