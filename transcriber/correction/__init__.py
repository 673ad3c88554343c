"""Words put right after recognition: a visible revision where an utterance only sounds like what was meant."""
