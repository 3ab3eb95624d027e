"""What people ask to be taken away: deliveries that are deleted, recipients that are erased.

Here is what is asked, written into tables `deletions` and `erasures` by command, API and pages alike, and what hides a
deleted delivery. The loader carries it out (sinks/housekeeping.py).
"""
