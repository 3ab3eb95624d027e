"""What a worker remembers: first sights of ids, marks of spools, counted opens."""
