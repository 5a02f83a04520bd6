"""The platform on AWS, as code. `environments` says how large each environment is; each other module is one small stack.

Start reading at `app`. `make aws-synth` writes the templates, offline; docs/aws.md says what comes then.
"""
