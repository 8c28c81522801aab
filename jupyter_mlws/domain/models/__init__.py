"""Models: those that runs log, and the registry of named versions of them.

A *logged model* is what training code made in an experiment: files, params, tags, and points of metrics that were measured of it.
A *registered model* is a name in a workspace; its *versions* are numbered from 1, have a stage, and may be called by aliases.

Invariants: a registered model's name is unique in its workspace; a version's number is one more than the greatest ever given, so that
none is given twice; a deleted version stays as an emptied row until its model is deleted; an alias means one version; a version keeps
where its files lie as it was when it was made. A version outlives the run it came from, and the logged model, too. A logged model
belongs to its experiment; deleting one leaves its row and its files until the experiment is deleted for good, or the model itself.
"""
