// What the sample uses of Apple's SwiftUI, UIKit, Combine and Foundation, by hand from their documentation, so that it can be
// type-checked elsewhere.

@_exported public import Foundation

// MARK: Views and scenes

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder var body: Body { get }
}

extension Never: View {
    public var body: Never { return fatalError() }
}

@MainActor @preconcurrency public protocol Scene {
    associatedtype Body: Scene
    var body: Body { get }
}

extension Never: Scene {}

@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    var body: Body { get }
    init()
}

extension App {
    public static func main() { fatalError() }
}

@resultBuilder public struct ViewBuilder {
    public static func buildExpression<Content: View>(_ content: Content) -> Content { content }
    public static func buildBlock<each Content: View>(_ content: repeat each Content) -> Several { fatalError() }
}

public struct Several: View {
    public var body: Never { return fatalError() }
}

public struct Form: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}

public struct Section: View {
    public init<Content: View>(@ViewBuilder content: () -> Content) { fatalError() }
    public init<Content: View>(_ title: String, @ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}

public struct Text: View {
    public init(_ content: String) { fatalError() }
    public func font(_ font: Font?) -> Text { fatalError() }
    public var body: Never { return fatalError() }
}

public struct TextField: View {
    public init(_ title: String, text: Binding<String>) { fatalError() }
    public var body: Never { return fatalError() }
}

public struct Button: View {
    public init(_ title: String, action: @escaping @MainActor () -> Void) { fatalError() }
    public var body: Never { return fatalError() }
}

public struct WindowGroup: Scene {
    public init<Content: View>(@ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}

public struct Font: Sendable {
    public static var footnote: Font { fatalError() }
}

extension View {
    public func disabled(_ disabled: Bool) -> some View { self }
    public func keyboardType(_ type: UIKeyboardType) -> some View { self }
    public func task(
        priority: TaskPriority = .userInitiated, _ action: @escaping @Sendable @MainActor () async -> Void
    ) -> some View { self }
}

// MARK: State

public protocol ObservableObject: AnyObject {}

@propertyWrapper public struct Published<Value> {
    public init(wrappedValue: Value) { fatalError() }
    public var wrappedValue: Value {
        get { fatalError() }
        set { fatalError() }
    }
}

@MainActor @propertyWrapper @preconcurrency public struct ObservedObject<Object: ObservableObject> {
    public init(wrappedValue: Object) { fatalError() }
    public var wrappedValue: Object
}

@MainActor @propertyWrapper @preconcurrency public struct StateObject<Object: ObservableObject> {
    public init(wrappedValue: @autoclosure @escaping () -> Object) { fatalError() }
    public var wrappedValue: Object { fatalError() }
}

@propertyWrapper public struct State<Value> {
    public init(wrappedValue: Value) { fatalError() }
    public var wrappedValue: Value {
        get { fatalError() }
        nonmutating set { fatalError() }
    }
    public var projectedValue: Binding<Value> { fatalError() }
}

public struct Binding<Value> {}

// MARK: UIKit

public enum UIKeyboardType: Sendable {
    case phonePad
}

@MainActor public final class UIApplication {
    public static var shared: UIApplication { fatalError() }
    public func open(_ url: URL) async -> Bool { fatalError() }
}
