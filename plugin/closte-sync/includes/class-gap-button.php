<?php
/**
 * The button that has the built-in integration send what nobody has sent.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The notice about the gap, and its one action.
 */
final class Gap_Button {

	const SEND = 'closte_sync_send';

	/**
	 * So many names are shown of each kind.
	 */
	const SHOWN = 20;

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'admin_post_' . self::SEND, array( self::class, 'send' ) );
	}

	/**
	 * The notice, where the built-in integration works again and something was not sent.
	 *
	 * @return array|null See `Notices`.
	 */
	public static function notice() {
		if ( Home::is_elsewhere() || Engine::is_in_charge() || ! Engine::is_switched_on() || ! Ultimate_Multisite::can_enqueue() ) {
			return null;
		}
		$unsent = Gap::unsent();
		$parts  = array();
		if ( array() !== $unsent['added'] ) {
			/* translators: %s: domains. */
			$parts[] = sprintf( __( 'added: %s', 'closte-sync' ), self::names( $unsent['added'] ) );
		}
		if ( array() !== $unsent['removed'] ) {
			/* translators: %s: domains. */
			$parts[] = sprintf( __( 'removed: %s', 'closte-sync' ), self::names( $unsent['removed'] ) );
		}
		if ( array() === $parts ) {
			return null;
		}
		/* translators: %s: what was added and removed. */
		$text = sprintf( __( 'The engine became silent before it must have seen these changes, and the built-in integration did not receive them, so Closte may not know them: %s.', 'closte-sync' ), implode( '; ', $parts ) );
		return array(
			'code'  => 'gap',
			'text'  => $text,
			'label' => __( 'Have the built-in integration send them', 'closte-sync' ),
			'url'   => Actions::url( self::SEND ),
		);
	}

	/**
	 * Have them sent.
	 */
	public static function send() {
		Actions::demand( self::SEND );
		// If the engine is back it has seen them, or will; a copy sends nothing.
		if ( ! Engine::is_in_charge() && ! Home::is_elsewhere() ) {
			$unsent = Gap::unsent();
			Gap::send( $unsent['added'] + $unsent['removed'] );
		}
		Notices::go_back();
	}

	/**
	 * Some names in one line.
	 *
	 * @param array[] $events With names.
	 * @return string
	 */
	private static function names( array $events ) {
		$names = array_values( array_unique( wp_list_pluck( $events, 'domain' ) ) );
		$more  = count( $names ) - self::SHOWN;
		$text  = implode( ', ', array_slice( $names, 0, self::SHOWN ) );
		/* translators: 1: domains, 2: a number. */
		return 0 < $more ? sprintf( __( '%1$s and %2$d more', 'closte-sync' ), $text, $more ) : $text;
	}
}
