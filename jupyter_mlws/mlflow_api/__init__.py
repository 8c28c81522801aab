"""The MLflow REST protocol over the services of the domain: any stock MLflow client logs into a workspace.

`calls.py` is the table of all routes; each is a function of a session, the caller's `Context` and a parsed request. `http.py` turns
them into handlers, `parsing.py` reads requests as MLflow's server does, `errors.py` has its codes. What is stored, and by which
rules, is the domain's business: here are only MLflow's words for it.
"""
