"""The whole line as a user runs it: `sendtrail up` as a process, everything else through its ports and commands."""
