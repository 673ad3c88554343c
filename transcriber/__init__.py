"""The transcriber makes captions and utterances of what the microphones hear; engines stand behind one interface.

The files here are the service and its stages: `turn_source` cuts the sound of a hearing into turns, `turn_queue` holds
those that are over, `scheduler` decides what the model is asked next, `captions` shows its words, and `utterances`
writes them. `backlog` and `progress` know which hearings are left and where one was left off. The folders hold what the
stages work with. `speech_server` is a service by itself, for rooms that have no model of their own.
"""
