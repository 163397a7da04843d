"""Analytics beacons: vendors, fingerprints, marks and the policy for each."""
