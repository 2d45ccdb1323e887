package main

import (
	"fmt"
	"time"

	"countersign.dev/controlplane/internal/catalogue"
	p "countersign.dev/controlplane/internal/pkcs10"
)

const hour = 60 * 60

// lifetimeVectors try what is asked for against what the flag allows and when the CA ends.
func lifetimeVectors(pool *p.Pool) []issuance {
	request := p.Armor(catalogue.Sound(pool, catalogue.APIServerClient).DER())
	var vectors []issuance
	add := func(id, ca string, now time.Time, duration int64, asked *int32) {
		v := vector("lifetime/"+id, catalogue.APIServerClient, request)
		v.CA, v.Now, v.Duration, v.ExpirationSeconds = ca, now.Unix(), duration, asked
		vectors = append(vectors, v)
	}
	for _, duration := range []int64{year, 24 * hour, 8 * hour, 8*hour + 1, 8*hour - 1, 3 * hour, hour, 600, 300, 299, 60, 1, 0, -1, -hour, 10 * year} {
		for _, asked := range lifetimesAsked(duration) {
			add(fmt.Sprintf("flag-%d/%s", duration, written(asked)), "ca-ed25519", judgedAt, duration, asked)
		}
	}
	for _, seconds := range secondsBeforeEnd {
		now := endsSoon.Add(-time.Duration(seconds) * time.Second)
		add(fmt.Sprintf("ca-ends-in-%d/nil", seconds), "ca-ends-soon", now, year, nil)
		add(fmt.Sprintf("ca-ends-in-%d/600", seconds), "ca-ends-soon", now, year, ptr(600))
	}
	for name, now := range boundaries {
		for _, duration := range []int64{year, hour} {
			add(fmt.Sprintf("at-%s/flag-%d", name, duration), "ca-ed25519", now, duration, nil)
		}
	}
	return sortedByID(vectors)
}

// secondsBeforeEnd are moments around the end of a CA's life, the backdating of five minutes in mind.
var secondsBeforeEnd = []int{
	86400, 28800, 3600, 601, 600, 599, 301, 300, 299, 60, 1, 0, -1, -60, -299, -300, -301, -600, -86400,
}

// boundaries are times at which a certificate's dates change their form, or the CA had not begun.
var boundaries = map[string]time.Time{
	"last-second-of-utctime":      time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC),
	"first-second-after-utctime":  time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC),
	"five-minutes-after-utctime":  time.Date(2050, 1, 1, 0, 5, 0, 0, time.UTC),
	"leap-day":                    time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC),
	"before-the-ca-began":         time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC),
	"before-unix-time":            time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC),
	"the-year-the-ca-ends":        time.Date(2059, 6, 1, 0, 0, 0, 0, time.UTC),
	"the-minute-after-the-ca-end": time.Date(2060, 1, 1, 0, 1, 0, 0, time.UTC),
}

// lifetimesAsked are values of spec.expirationSeconds worth trying against the flag.
func lifetimesAsked(duration int64) []*int32 {
	asked := []*int32{nil, ptr(600), ptr(601), ptr(28799), ptr(28800), ptr(28801)}
	if duration == year {
		asked = append(asked, ptr(599), ptr(1), ptr(0), ptr(-420), ptr(2147483647), ptr(-2147483648), ptr(year-1), ptr(year), ptr(year+1))
	}
	return asked
}

func ptr(seconds int32) *int32 { return &seconds }

func written(seconds *int32) string {
	if seconds == nil {
		return "nil"
	}
	return fmt.Sprint(*seconds)
}
