"""What caches are made of; `beaker.cache` is the door."""
