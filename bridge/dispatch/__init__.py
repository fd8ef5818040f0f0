"""From submission to state and answer: one door in, one door out, a queue that only rings."""
