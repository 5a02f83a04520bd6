"""Which path asks what: the routes of the framework. What they ask lies in the other folders, which know no framework."""
