internal import RoostBasics
internal import RoostDelivery

/// One run of an item, in the hands of whoever carries it out: exactly one report is expected, a second says nothing.
///
/// Belongs to the loop.
final class RunningDelivery {
    let record: DeliveryRecord
    let payload: [UInt8]
    let run: DeliveryRun
    /// Set by who runs it: end it now, nobody wants its result any more.
    var onStop: () -> Void = {}
    private var report: ((Result<DeliveryOutput, DeliveryReport>) -> Void)?

    /// Carries a failure through `Result`.
    struct DeliveryReport: Error {
        let failure: DeliveryFailure
    }

    init(
        _ record: DeliveryRecord, payload: [UInt8], _ run: DeliveryRun,
        report: @escaping (Result<DeliveryOutput, DeliveryReport>) -> Void
    ) {
        self.record = record
        self.payload = payload
        self.run = run
        self.report = report
    }

    var id: DeliveryID { record.id }
    /// Nobody wants a report any more.
    var isOver: Bool { report == nil }

    func succeed(_ output: DeliveryOutput = DeliveryOutput()) { tell(.success(output)) }
    func fail(_ failure: DeliveryFailure) { tell(.failure(DeliveryReport(failure: failure))) }

    /// Told by the driver.
    func stop() {
        guard report != nil else { return }
        report = nil
        onStop()
        onStop = {}
    }

    private func tell(_ result: Result<DeliveryOutput, DeliveryReport>) {
        guard let report else { return }
        self.report = nil
        onStop = {}
        report(result)
    }
}
