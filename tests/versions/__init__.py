"""Publishing under each minor release of scikit-learn: `make versions`."""
