-- How often a process left the job since its checkpoint last changed: one that gets on is taken up again however often, one that is left twice at the same place is given up.
ALTER TABLE jobs ADD COLUMN interruptions INTEGER;
