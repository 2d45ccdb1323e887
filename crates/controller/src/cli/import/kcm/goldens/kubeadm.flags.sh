# Made by: countersign import kube-controller-manager.
# 1. kubectl apply -f deploy/rbac.yaml
# 2. Check this line with --check, then run it beside kube-controller-manager, on each host that runs
#   one.
# 3. See that it is ready (/readyz on port 10270, over TLS). One leads, by the Lease
#   kube-system/countersign.
# 4. Only then, on each host and in the ClusterConfiguration:
#    in kube-controller-manager's command, change to:
#        - --controllers=*,bootstrapsigner,tokencleaner,-csrsigning,-csrapproving,-csrcleaner
#    in controllerManager.extraArgs of kubeadm's ClusterConfiguration, or the next upgrade undoes it:
#        - {name: controllers, value: "*,bootstrapsigner,tokencleaner,-csrsigning,-csrapproving,-csrcleaner"}
# Back: undo 4 first, on every host; then stop this.
#
# not carried over: --allocate-node-cidrs: it is for what stays with kube-controller-manager
# not carried over: --client-ca-file: callers' certificates are judged by the CA in the ConfigMap
#   kube-system/extension-apiserver-authentication
# not carried over: --cluster-cidr: it is for what stays with kube-controller-manager
# not carried over: --cluster-name: it is for what stays with kube-controller-manager
# not carried over: --requestheader-client-ca-file: no proxy is believed about who calls
# not carried over: --root-ca-file: it is for what stays with kube-controller-manager
# not carried over: --service-account-private-key-file: it is for what stays with
#   kube-controller-manager
countersign run \
  --authentication-kubeconfig=/etc/kubernetes/controller-manager.conf \
  --authorization-kubeconfig=/etc/kubernetes/controller-manager.conf \
  --bind-address=127.0.0.1 \
  --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt \
  --cluster-signing-key-file=/etc/kubernetes/pki/ca.key \
  --kubeconfig=/etc/kubernetes/controller-manager.conf \
  --leader-elect=true \
  --service-cluster-ip-range=10.96.0.0/12,fd00:10:96::/112 \
  --use-service-account-credentials=true
