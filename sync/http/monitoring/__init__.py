"""What tells an administrator's own monitoring how a service is: metrics, health, readiness, and who may ask."""
