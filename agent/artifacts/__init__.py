"""Evidence on disk: recorded to scratch, kept only where it is wanted, bounded."""
