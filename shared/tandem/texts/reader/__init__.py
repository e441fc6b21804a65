"""What runs in the child process that reads one file: nothing else imports these modules.

They know no database and no settings, and import only what reading needs.
"""
