"""Many runs that answer one question: which plan trains better, for whom, and is the difference real?

`definition` reads a study, `runs` lays out its grid, `running` and `measuring` do the work, `queue` shares it among
workers, `status` says how far it is.
"""
