# Made by: countersign import kube-controller-manager.
# 1. kubectl apply -f deploy/rbac.yaml
# 2. Check this line with --check, then run it beside kube-controller-manager, on each host that runs
#   one.
# 3. See that it is ready (/readyz on port 10270, over TLS). One leads, by the Lease
#   kube-system/countersign.
# 4. Only then, on each host and in the ClusterConfiguration:
#    in kube-controller-manager's command, change to:
#        - --controllers=*,-ttl,-csrsigning,-csrapproving,-csrcleaner
#    in controllerManager.extraArgs of kubeadm's ClusterConfiguration, or the next upgrade undoes it:
#        - {name: controllers, value: "*,-ttl,-csrsigning,-csrapproving,-csrcleaner"}
# Back: undo 4 first, on every host; then stop this.
#
# different: --secure-port: metrics and health are on port 10270, as both run on one host
# different: --leader-elect-resource-name: the Lease is countersign, which deploy/rbac.yaml makes:
#   both run side by side
# not carried over: --feature-gates: there are no feature gates
# not carried over: --tls-min-version: metrics are served with TLS 1.2 and 1.3, in the library's safe
#   choice of ciphers
# not carried over: --profiling: there is no profiling
# not carried over: --port: no flag of kube-controller-manager v1.37
# different: --use-service-account-credentials: all is done as the user of the kubeconfig, as there;
#   deploy/rbac.yaml grants the Lease to User system:kube-controller-manager alone
countersign run \
  --kubeconfig=/var/lib/k8s/kcm.conf \
  --v=4 \
  --cluster-signing-kubelet-client-cert-file=/srv/ca/client/ca.crt \
  --cluster-signing-kubelet-client-key-file=/srv/ca/client/ca.key \
  --cluster-signing-kubelet-serving-cert-file=/srv/ca/serving/ca.crt \
  --cluster-signing-kubelet-serving-key-file=/srv/ca/serving/ca.key \
  --cluster-signing-duration=4380h0m0s \
  --kube-api-qps=50 \
  --kube-api-burst=100 \
  --authorization-always-allow-paths=/healthz \
  --logging-format=text
