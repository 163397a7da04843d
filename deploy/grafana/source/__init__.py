"""What the dashboards are made from: ``make dashboards`` writes ``../dashboards/*.json``."""
