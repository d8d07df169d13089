import Kube

extension Settings.Kind where Value == JSON {
    /// Labels that a node must have.
    static var nodeSelector: Self {
        json("a JSON object of texts such as {\"disk\": \"fast\"}", blank: [:]) { value in
            value.object?.values.allSatisfy { $0.string != nil } ?? false
        }
    }

    /// Taints that a pod puts up with.
    static var tolerations: Self {
        let known: Set = ["key", "operator", "value", "effect", "tolerationSeconds"]
        return json("a JSON array of tolerations such as [{\"key\": \"gpu\", \"operator\": \"Exists\"}]", blank: []) {
            value in
            value.array?.allSatisfy { item in item.object.map { known.isSuperset(of: $0.keys) } ?? false } ?? false
        }
    }

    private static func json(_ form: String, blank: JSON, _ holds: @escaping @Sendable (JSON) -> Bool) -> Self {
        Self(
            form: form, blank: blank,
            read: { text throws(Settings.Complaint) in
                let value: JSON
                do throws(JSONError) { value = try JSON(parsing: text) } catch {
                    throw Settings.Complaint("not JSON: \(error)")
                }
                guard holds(value) else { throw Settings.Complaint("has to be \(form)") }
                return value
            },
            write: { $0.text() })
    }
}
