"""Functions of jax as graphs: traced as jaxprs, translated primitive by primitive."""
