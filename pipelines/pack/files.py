"""The names of the files in a pack."""

from pipelines.supply import BILL, LICENCES

ASSESSMENT, DATA, DEVELOPMENT, RECIPE = "assessment.json", "data.json", "development.json", "recipe.json"
TRAINING = (ASSESSMENT, DATA, DEVELOPMENT, RECIPE, BILL, LICENCES)
"""Made by training, beside `plots/`."""

LINEAGE, INVENTORY = "bundle/manifest.json", "bundle/inventory.json"
POLICY, CONTRACT = "bundle/policy.json", "bundle/contract.json"
SEALED = ("manifest.json", "inventory.json", "policy.json", "contract.json", "uncertainty.json", "reasons.json")
"""Parts of the bundle, copied below `bundle/`."""

SUBJECT, OVERSIGHT, OUTCOMES, LEDGER = "subject.json", "oversight.json", "outcomes.json", "ledger.json"
DERIVED = "derived.json"
FAIRNESS, REASONS, REBUILD, CONTROLS = "fairness/fairness.json", "reasons.json", "rebuild.json", "controls.json"
COMPUTED = (SUBJECT, OVERSIGHT, DERIVED, OUTCOMES, LEDGER, FAIRNESS, REASONS, CONTROLS)
"""Made by the flow. `REBUILD` is there if it was asked for."""

TRAINING_MANIFEST = "training-manifest.json"
BUDGET_SECONDS = 180
"""Of the flow: for 30,000 accounts a month on two quiet cores, without the rebuild."""

FIGURES, PAGE, MANIFEST = "figures.json", "index.html", "manifest.json"
