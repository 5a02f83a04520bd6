"""How time and memory grow with the rows, beside pandas, `mlflow.pyfunc` and Spark; and what a much larger bank would need."""
