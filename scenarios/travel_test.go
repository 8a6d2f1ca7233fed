package scenarios

import (
	"encoding/json"
	"reflect"
	"testing"

	"netnscheck/harness/scenario"
)

// TestScenariosTravel: a worker receives exactly what was parsed, including the difference between nil and empty.
func TestScenariosTravel(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		text, err := json.Marshal(sc)
		if err != nil {
			t.Fatalf("%s: %v", sc.ID, err)
		}
		arrived := &scenario.Scenario{}
		if err := json.Unmarshal(text, arrived); err != nil {
			t.Fatalf("%s: %v", sc.ID, err)
		}
		arrived.Source = sc.Source // not sent
		if !reflect.DeepEqual(arrived, sc) {
			t.Errorf("%s changes on the way", sc.ID)
		}
	}
}
