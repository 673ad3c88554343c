"""What rooms send: events by MQTT, objects by HTTP."""
