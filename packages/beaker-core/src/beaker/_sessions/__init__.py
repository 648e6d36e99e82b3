"""What sessions are made of; `beaker.session` is the door."""
