package main

import (
	"reflect"
	"testing"

	"countersign.dev/controlplane/internal/pkcs10"
)

var pool = &pkcs10.Pool{}

func TestTheSameSeedGivesTheSameEntries(t *testing.T) {
	if !reflect.DeepEqual(newCorpus(7, pool).entries(900), newCorpus(7, pool).entries(900)) {
		t.Error("two corpora of one seed differ")
	}
}

func TestNothingIsDecidedByHandThatAnApproverWouldApprove(t *testing.T) {
	for _, e := range newCorpus(7, pool).entries(1200) {
		if e.recognized() && e.granted() && e.Action != "none" {
			t.Errorf("%s: %s of %s", e.Name, e.Action, e.Requester)
		}
	}
}

func TestMostEntriesCanBeCreated(t *testing.T) {
	for _, count := range []int{100, 1200} {
		creatable := 0
		for _, e := range newCorpus(7, pool).entries(count) {
			if e.creatable() {
				creatable++
			}
		}
		if creatable < count*85/100 || creatable == count {
			t.Errorf("%d of %d can be created", creatable, count)
		}
	}
}

func TestExceptionsGoAllTheWayToTheSigner(t *testing.T) {
	found := 0
	for _, e := range newCorpus(7, pool).entries(1200) {
		if e.Exception == "" {
			continue
		}
		found++
		if !e.creatable() || e.Action != "approve" {
			t.Errorf("%s is no use: creatable %t, action %s", e.Name, e.creatable(), e.Action)
		}
	}
	if found < 8 {
		t.Errorf("only %d exceptions", found)
	}
}
