#!/bin/sh
# Prints a PrometheusRule for each file of rules: sh prometheusrule.sh | kubectl apply -f -
set -eu
rules=$(dirname "$0")/../../rules

for name in rules alerts; do
	cat <<-END
		---
		apiVersion: monitoring.coreos.com/v1
		kind: PrometheusRule
		metadata:
		  name: wolkvox-$name
		  labels:
		    app.kubernetes.io/name: wolkvox-exporter
		spec:
	END
	sed 's/^/  /' "$rules/wolkvox.$name.yml"
done
