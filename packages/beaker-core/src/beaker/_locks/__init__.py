"""What locks and leases are made of; `beaker.synchronization` is the door."""
