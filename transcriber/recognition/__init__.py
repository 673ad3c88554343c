"""Words made of turns: the contract of recognizers, and those that keep it.

`recognizer` holds the contract and `factory` chooses by the profile. Either a process of this machine answers
(`process`, with `worker` at its other end, and the engines `whisper` and `sherpa` in it), or servers elsewhere do
(`server_pool`, with an `openai_client` for each). The other files load models and tidy words for all of them.
"""
