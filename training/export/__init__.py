"""Export of a fitted estimator, compared with scikit-learn."""
