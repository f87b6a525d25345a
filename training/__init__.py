"""From a fitted estimator to a model that is served: evaluate, export, compare, publish.

``python -m training --help`` lists the commands; from Python it is `training.publish.publish`.
"""
