"""The engines that run in a model process, each behind `transcriber.recognition.recognizer.Engine`."""
