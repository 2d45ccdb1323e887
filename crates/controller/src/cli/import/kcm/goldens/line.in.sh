# One of many flags, as somebody wrote it by hand.
/usr/local/bin/kube-controller-manager --kubeconfig /var/lib/k8s/kcm.conf -v=4 --port=0 \
  --cluster-signing-kubelet-client-cert-file=/srv/ca/client/ca.crt --cluster_signing_kubelet_client_key_file=/srv/ca/client/ca.key \
  --cluster-signing-kubelet-serving-cert-file=/srv/ca/serving/ca.crt --cluster-signing-kubelet-serving-key-file=/srv/ca/serving/ca.key \
  --cluster-signing-duration=4380h0m0s --kube-api-qps=50 --kube-api-burst=100 \
  --controllers=csrsigning,csrapproving --controllers '*,-ttl' \
  --secure-port=10257 --leader-elect-resource-name=kcm --feature-gates=A=true --tls-min-version=VersionTLS13 \
  --authorization-always-allow-paths=/healthz --profiling=false --logging-format=json --logging-format=text
