// Oracle records what upstream's own code says to certificate signing requests and CA files.
//
// It links against the packages kube-controller-manager is made of, so a verdict is upstream's and not a reading of it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"countersign.dev/controlplane/internal/pkcs10"
)

func main() {
	out := flag.String("out", "../../crates/signer/tests/verdicts", "directory that gets the verdicts and the CA pairs")
	seed := flag.Uint64("seed", 1, "seed of the random mixtures and of the serial numbers")
	flag.Parse()
	if err := run(*out, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run(out string, seed uint64) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	pool := &pkcs10.Pool{}
	if err := writeAuthorities(out, pool); err != nil {
		return err
	}
	judge, err := newJudge(out, seed)
	if err != nil {
		return err
	}
	defer judge.close()
	issued, err := judge.issuance(issuanceVectors(pool, seed))
	if err != nil {
		return err
	}
	if err := record(filepath.Join(out, "issuance.jsonl"), issued); err != nil {
		return err
	}
	loaded, err := judge.authorities(authorityVectors(pool))
	if err != nil {
		return err
	}
	return record(filepath.Join(out, "authority.jsonl"), loaded)
}

// outcome is anything with a word for what became of it.
type outcome interface{ kind() string }

// record writes one JSON object a line and says how often each outcome occurred.
func record[T outcome](path string, verdicts []T) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	encoder.SetEscapeHTML(false)
	counts := map[string]int{}
	for _, verdict := range verdicts {
		counts[verdict.kind()]++
		if err := encoder.Encode(verdict); err != nil {
			return err
		}
	}
	fmt.Println(filepath.Base(path), len(verdicts), "verdicts:", summary(counts))
	return file.Close()
}

func summary(counts map[string]int) string {
	var parts []string
	for kind, count := range counts {
		parts = append(parts, fmt.Sprintf("%d %s", count, kind))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}
