"""By what a person proves who they are: passwords, codes of an app, recovery codes, passkeys, provider, directory."""
