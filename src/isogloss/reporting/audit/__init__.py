"""The audit: is a model fair to every language? One page of findings, with what they rest on.

`findings` puts the figures together, `verdict` says them in two sentences, `page` writes the HTML, `forms` the tables
in other forms. Rules and reading: docs/audit.md.
"""
