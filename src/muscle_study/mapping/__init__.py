"""One map over participants: workers, batches, retries, records of finished work, progress."""
