import Kube

extension Settings.Kind where Value == JSON {
    static var jsonObject: Self { json("a JSON object of texts") }
    static var jsonArray: Self { json("a JSON array of objects") }

    private static func json(_ form: String) -> Self {
        Self(form: form, blank: .null, read: { text in text == "[]" ? [] : [:] }, write: { _ in "" })
    }
}
